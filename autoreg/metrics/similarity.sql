-- One row for each unit.
create table if not exists units (
    trial_id varchar not null,  -- the trial
    measurement_id varchar not null,  -- the measurement
    split varchar not null,  -- train, validation or test
    layer varchar not null,  -- by name
    sample integer not null,  -- random choice of vectors, from 0
    unit integer not null,  -- from 0
    similar_units integer,  -- how many other units have |r| >= threshold; null if dead
    strongest float,  -- largest |r| with another unit; null if dead
    dead boolean not null  -- constant activation
);
-- One row for each bin of |r| that has pairs of units.
create table if not exists correlations (
    trial_id varchar not null,  -- the trial
    measurement_id varchar not null,  -- the measurement
    split varchar not null,  -- train, validation or test
    layer varchar not null,  -- by name
    sample integer not null,  -- random choice of vectors, from 0
    bin_low double not null,  -- of |r|
    bin_high double not null,  -- of |r|
    pairs bigint not null  -- of live units
);
-- One row for each unit of a measurement over all vectors: how often its activation is not 0.
create table if not exists activity (
    trial_id varchar not null,  -- the trial
    measurement_id varchar not null,  -- the measurement
    split varchar not null,  -- train, validation or test
    layer varchar not null,  -- by name
    unit integer not null,  -- from 0
    active_share double not null,  -- of inputs and positions
    active_inputs bigint not null  -- inputs at which it is active at one position or more
);

insert into units by name
select
    trial_id, measurement_id, split, layer, sample,
    unnest(range(len("similar"))) as unit,
    unnest("similar") as similar_units,
    unnest(strongest) as strongest,
    unnest(dead) as dead
from new_rows;

insert into correlations by name
select * exclude (bin, bins), bin / bins as bin_low, (bin + 1) / bins as bin_high
from (
    select
        trial_id, measurement_id, split, layer, sample,
        len(pairs) as bins,
        unnest(range(len(pairs))) as bin,
        unnest(pairs) as pairs
    from new_rows
)
where pairs > 0;

insert into activity by name
select
    trial_id, measurement_id, split, layer,
    unnest(range(len(active_share))) as unit,
    unnest(active_share) as active_share,
    unnest(active_inputs) as active_inputs
from (
    from new_rows
    union all by name  -- of drawn vectors there are no such columns
    select null::double[] as active_share, null::bigint[] as active_inputs where false
);

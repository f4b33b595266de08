-- One row for each level to which a surgery takes units out of a network; the intact one has level 0.
create table if not exists compression (
    trial_id varchar not null,  -- the trial
    measurement_id varchar not null,  -- the measurement
    split varchar not null,  -- where labels are compared: train, validation or test
    surgery varchar not null,  -- drop, merge, either or rebuild
    rule varchar not null check (rule in ('error', 'refined', 'share')),  -- what all layers have alike; refined errors lie between others
    level double not null,  -- the error, as a share of the variance that the next layer sees; or the share of units taken out
    parameters bigint not null,  -- of the narrower network
    flops bigint not null,  -- of the narrower network, for one example
    unchanged_validation double check (unchanged_validation between 0 and 1),  -- share of labels that stay, on validation; null for share
    unchanged double not null check (unchanged between 0 and 1),  -- share of labels that stay, on the split
    accuracy double not null check (isnan(accuracy) or accuracy between 0 and 1)  -- share of true labels, on the split
);
-- One row for each layer of each level: how many of its units stay.
create table if not exists compressed_layers (
    trial_id varchar not null,  -- the trial
    measurement_id varchar not null,  -- the measurement
    split varchar not null,  -- where labels are compared
    surgery varchar not null,  -- drop, merge, either or rebuild
    rule varchar not null,  -- error, refined or share
    level double not null,  -- of the rule
    layer varchar not null,  -- the measured layer, or the map that makes the units
    units integer not null,  -- that there were
    kept integer not null  -- that stay, with a constant one where offsets need it
);
-- One row for each layer, that is, units that are kept or taken out together.
create table if not exists compressible_layers (
    trial_id varchar not null,  -- the trial
    measurement_id varchar not null,  -- the measurement
    split varchar not null,  -- where labels are compared
    layer varchar not null,  -- the measured layer, or the map that makes the units
    units integer not null,  -- that there are
    whole varchar,  -- why none may be taken out; null if they may
    eigenvalues double[] not null  -- variances of the principal components of what the next layer sees, from the largest on
);
-- One row for each unit that a surgery can take out, in its order.
create table if not exists taken_units (
    trial_id varchar not null,  -- the trial
    measurement_id varchar not null,  -- the measurement
    split varchar not null,  -- where labels are compared
    surgery varchar not null,  -- drop, merge, either or rebuild
    layer varchar not null,  -- the measured layer, or the map that makes the units
    place integer not null,  -- in the order, from 0
    unit integer not null,  -- from 0
    error double not null  -- with this unit and all before it taken out, as a share of the variance that the next layer sees
);

insert into compression by name
select
    trial_id, measurement_id, split, surgery, rule, level, parameters, flops, unchanged_validation, unchanged, accuracy
from new_rows
where rule is not null;

insert into compressible_layers by name
select trial_id, measurement_id, split, layer, units, whole, eigenvalues
from new_rows
where units is not null;

insert into compressed_layers by name
select *
from (
    select
        trial_id, measurement_id, split, surgery, rule, level,
        unnest(layers) as layer,
        unnest(kept) as kept
    from new_rows
    where rule is not null
)
join (select trial_id, measurement_id, layer, units from new_rows where units is not null)
    using (trial_id, measurement_id, layer);

insert into taken_units by name
select
    trial_id, measurement_id, split, surgery, layer,
    unnest(range(len(taken))) as place,
    unnest(taken) as unit,
    unnest(errors) as error
from new_rows
where taken is not null;

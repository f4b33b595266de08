-- One row for each linear or convolutional map.
create table if not exists movement (
    trial_id varchar not null,  -- the trial
    measurement_id varchar not null,  -- the measurement
    split varchar not null,  -- train, validation or test
    layer varchar not null,  -- the measured layer that it leads to; output and auxiliary are their own
    map varchar not null,  -- by name
    initial_norm double not null,  -- Frobenius norm of the weights before training
    movement double,  -- Frobenius norm of their change over that; null where they were 0
    spectral_movement double  -- the same of largest singular values
);
-- One row for each measured layer.
create table if not exists activation_changes (
    trial_id varchar not null,  -- the trial
    measurement_id varchar not null,  -- the measurement
    split varchar not null,  -- train, validation or test
    layer varchar not null,  -- by name
    units integer not null,  -- kernels, of a convolution
    activation_change double not null check (activation_change between 0 and 2),  -- mean over units
    constant_before integer not null,  -- units of constant activation before training
    constant_after integer not null  -- units of constant activation
);

insert into movement by name
select
    trial_id, measurement_id, split, layer,
    unnest(map) as map,
    unnest(initial_norm) as initial_norm,
    unnest(movement) as movement,
    unnest(spectral_movement) as spectral_movement
from new_rows;

insert into activation_changes by name
select trial_id, measurement_id, split, layer, units, activation_change, constant_before, constant_after
from new_rows
where units is not null;

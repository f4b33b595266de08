-- One row for each curve of unchanged labels and fraction of dropped units.
create table if not exists ablation (
    trial_id varchar not null,  -- the trial
    measurement_id varchar not null,  -- the measurement
    split varchar not null,  -- train, validation or test
    scope varchar not null,  -- layer, or network for all layers at once
    granularity varchar not null,  -- kernel, or application for single positions
    layer varchar,  -- null for network
    sample integer not null,  -- random choice of units, from 0
    fraction double not null check (fraction between 0 and 1),  -- of units dropped
    unchanged double not null check (unchanged between 0 and 1),  -- share of labels that stay
    accuracy double not null check (isnan(accuracy) or accuracy between 0 and 1)  -- share of true labels
);

insert into ablation by name
select * from new_rows;

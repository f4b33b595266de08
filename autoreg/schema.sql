-- Tables of results.db. Shares and accuracies lie in [0, 1]. Only `trials` has a key: keys on detail tables triple the file.
create table if not exists schema_info (schema_version integer not null, views_hash varchar);

create table if not exists sweeps (
    sweep_id varchar not null,
    name varchar not null,
    figures varchar[] not null,
    definition json not null,
    updated_at timestamp not null  -- UTC
);
create table if not exists sweep_groups (
    sweep_id varchar not null,
    group_id varchar not null,
    variant varchar,  -- null in a sweep without variants
    network varchar not null,
    dataset varchar not null,
    width double not null,
    epochs integer not null,  -- of its longest final trial
    parameters bigint not null
);
create table if not exists sweep_trials (
    sweep_id varchar not null,
    trial_id varchar not null,
    group_id varchar not null,
    kind varchar not null
);
create table if not exists sweep_measurements (
    sweep_id varchar not null,
    metric varchar not null,
    split varchar not null,
    measurement_id varchar not null
);

create table if not exists trials (
    trial_id varchar primary key,
    config_id varchar not null,
    kind varchar not null,
    network varchar not null,
    dataset varchar not null,
    width double not null,
    initializer varchar not null,
    optimizer varchar not null,
    augmentation boolean not null,
    dropout double not null,
    weight_decay double not null,
    random_labels boolean not null,
    learning_rate double not null,
    batch_size integer not null,
    lr_batch_factor double not null,
    replicate integer not null,
    status varchar not null,
    parameters bigint,
    epochs_run integer not null,
    best_epoch integer,
    train_accuracy double,
    validation_accuracy double,
    test_accuracy double,
    seconds double not null,
    device varchar,
    error varchar,
    config json not null,
    environment json not null,
    finished_at timestamp not null  -- UTC
);
create table if not exists epochs (
    trial_id varchar not null,
    epoch integer not null,
    learning_rate double not null,
    train_loss double,
    train_accuracy double not null,
    validation_loss double,
    validation_accuracy double not null,
    seconds double not null
);
create table if not exists layers (
    trial_id varchar not null,
    layer_index integer not null,
    layer varchar not null,
    units integer not null,
    positions integer not null
);

create table if not exists measurements (
    trial_id varchar not null,
    measurement_id varchar not null,
    metric varchar not null,
    version integer not null,
    split varchar not null,
    options json not null
);
create table if not exists ablation (
    trial_id varchar not null,
    measurement_id varchar not null,
    split varchar not null,
    scope varchar not null,
    granularity varchar not null,
    layer varchar,
    sample integer not null,
    fraction double not null,
    unchanged double not null,
    accuracy double not null
);
create table if not exists correlations (
    trial_id varchar not null,
    measurement_id varchar not null,
    split varchar not null,
    layer varchar not null,
    sample integer not null,
    bin_low double not null,
    bin_high double not null,
    pairs bigint not null
);
create table if not exists units (
    trial_id varchar not null,
    measurement_id varchar not null,
    split varchar not null,
    layer varchar not null,
    sample integer not null,
    unit integer not null,
    "similar" integer,  -- a reserved word: quote it
    strongest float,
    dead boolean not null
);

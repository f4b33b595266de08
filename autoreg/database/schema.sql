-- Tables of results.db; those of a metric stand beside it, in autoreg/metrics. Shares and accuracies lie in [0, 1]. Only
-- `trials` has a key: keys on detail tables triple the file.

-- One row: what this file is.
create table if not exists schema_info (
    schema_version integer not null,  -- of its tables
    views_hash varchar  -- of the SQL behind its views, seeds and comments
);

-- One row for each sweep.
create table if not exists sweeps (
    sweep_id varchar not null,  -- hash of what the sweep asks for
    name varchar not null,  -- as in its file
    figures varchar[] not null,  -- those that show its trials
    definition json not null,  -- what it asks for
    updated_at timestamp not null  -- UTC
);
-- One row for each setting of a sweep, and variant that has it.
create table if not exists sweep_groups (
    sweep_id varchar not null,  -- the sweep
    group_id varchar not null,  -- the config_id of its final trials
    variant varchar,  -- null in a sweep without variants
    network varchar not null,  -- with its options
    dataset varchar not null,  -- with its options
    width double not null,  -- factor
    epochs integer not null,  -- of its longest final trial
    parameters bigint not null  -- trainable ones
);
-- One row for each trial that a sweep asks for; sweeps share trials.
create table if not exists sweep_trials (
    sweep_id varchar not null,  -- the sweep
    trial_id varchar not null,  -- the trial
    group_id varchar not null,  -- the setting that it belongs to
    kind varchar not null  -- tune or final
);
-- One row for each measurement that a sweep asks for of each final trial; one of two if the metric was revised.
create table if not exists sweep_measurements (
    sweep_id varchar not null,  -- the sweep
    metric varchar not null,  -- by name
    split varchar not null,  -- train, validation or test
    measurement_id varchar not null  -- hash of the metric, its version, split and options
);

-- One row for each trial that has ended, tuning ones too.
create table if not exists trials (
    trial_id varchar primary key,  -- config_id and replicate
    config_id varchar not null,  -- hash of everything but the replicate
    kind varchar not null,  -- tune or final
    network varchar not null,  -- with its options
    dataset varchar not null,  -- with its options
    width double not null,  -- factor of every layer's units
    initializer varchar not null,  -- with its options
    optimizer varchar not null,  -- with its options
    augmentation boolean not null,  -- of the images, in training
    dropout double not null,  -- probability
    weight_decay double not null,  -- L2 coefficient
    random_labels boolean not null,  -- of training and validation
    learning_rate double not null,  -- as used, lr_batch_factor included
    batch_size integer not null,  -- as used, lr_batch_factor included
    lr_batch_factor double not null,  -- the paper's k
    replicate integer not null,  -- from 0; seeds all random numbers
    status varchar not null,  -- done, failed, diverged or pruned
    parameters bigint,  -- trainable ones
    epochs_run integer not null,  -- until it ended
    best_epoch integer,  -- whose weights are kept, from 1
    train_accuracy double,  -- of the kept weights, in evaluation mode
    validation_accuracy double,  -- of the kept weights
    test_accuracy double,  -- of the kept weights
    seconds double not null,  -- of training
    device varchar,  -- cpu, or the GPU's name
    error varchar,  -- what went wrong, with where
    config json not null,  -- everything that decides its result
    environment json not null,  -- versions, data, and what was resumed
    finished_at timestamp not null  -- UTC
);
-- One row for each epoch of a trial.
create table if not exists epochs (
    trial_id varchar not null,  -- the trial
    epoch integer not null,  -- from 1
    learning_rate double not null,  -- of the last step
    train_loss double,  -- nats, on the batches as trained on; with an auxiliary classifier's
    train_accuracy double not null,  -- on the batches as trained on
    validation_loss double,  -- nats
    validation_accuracy double not null,  -- in evaluation mode
    seconds double not null  -- of training
);
-- One row for each measured layer of a trial.
create table if not exists layers (
    trial_id varchar not null,  -- the trial
    layer_index integer not null,  -- from 0, as the input meets them
    layer varchar not null,  -- by name
    units integer not null,  -- kernels, of a convolution
    positions integer not null  -- of each unit; 1 if fully connected
);

-- One row for each measurement of a trial.
create table if not exists measurements (
    trial_id varchar not null,  -- the trial
    measurement_id varchar not null,  -- the measurement
    metric varchar not null,  -- by name
    version integer not null,  -- of the metric
    split varchar not null,  -- train, validation or test
    options json not null,  -- all that are not its defaults
    digest varchar  -- of its file; null in files of the first versions
);

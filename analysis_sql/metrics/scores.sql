-- Each final trial that is done, once: its settings, accuracies and scores as released, whatever sweeps it is in.
-- grain: trial_id
select
    trial_id,
    list(distinct sweep order by sweep) as sweeps,  -- the names of those that have it
    network,
    dataset,
    width,
    replicate,
    initializer,
    optimizer,
    regularizer,
    labels,
    lr_batch_factor,
    precision,  -- of products in training: float32, tf32 or bfloat16
    learning_rate,
    batch_size,
    epochs,
    epochs_run,
    parameters,
    train_accuracy,
    validation_accuracy,
    test_accuracy,
    auc,
    auc_split,
    auc_options,
    similar_units,
    dead_share,
    similarity_split,
    similarity_options
from final_trials
join (select trial_id, coalesce(config ->> '$.precision', 'float32') as precision from trials) using (trial_id)
left join (from default_scores where layer is null) using (trial_id)
where status = 'done'
group by all

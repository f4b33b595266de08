-- Reduced precision beside float32: scores of trials that differ in nothing else, means over the replicates of both.
-- grain: sweep_id, series, config_id, score
with scored as (
    select
        trial_id,
        config_id,
        scores.precision,
        json_merge_patch(config, '{"precision": null}') as the_rest,
        unnest([
            {'score': 'test_accuracy', 'value': scores.test_accuracy, 'measured': ''},
            {'score': 'train_accuracy', 'value': scores.train_accuracy, 'measured': ''},
            {'score': 'auc', 'value': auc, 'measured': auc_split || auc_options},
            {'score': 'similar_units', 'value': similar_units, 'measured': similarity_split || similarity_options}
        ], recursive := true)
    from scores
    join trials using (trial_id)
),

spread as (
    select
        *,
        stddev_pop(value) over alike as replicate_std,
        count(*) over alike as replicates
    from scored
    where value is not null
    window alike as (partition by config_id, score, measured)
)

select
    sweep_id,
    sweep,
    final_trials.series,
    final_trials.network,
    final_trials.dataset,
    final_trials.width,
    reduced.config_id,  -- of the trials in reduced precision
    reduced.precision,  -- bfloat16 or tf32
    reduced.score,  -- accuracies, auc and similar_units as released
    avg(exact.value) as float32,  -- mean over the pairs, as `reduced`
    avg(reduced.value) as reduced,  -- in that precision
    avg(reduced.value - exact.value) as difference,  -- reduced - float32
    any_value(exact.replicate_std) as float32_std,  -- standard deviation over the replicates of float32
    any_value(reduced.replicate_std) as reduced_std,  -- likewise, of that precision
    count(*) as pairs,  -- replicates that are there in both
    any_value(exact.replicates) as float32_replicates,  -- behind that deviation
    any_value(reduced.replicates) as reduced_replicates  -- likewise
from spread as reduced
join spread as exact using (the_rest, score, measured)
join final_trials on final_trials.trial_id = reduced.trial_id
where reduced.precision <> 'float32' and exact.precision = 'float32'
group by all

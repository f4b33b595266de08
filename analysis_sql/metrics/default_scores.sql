-- Scores of each final trial and of each of its layers, as released, from the measurements that stand for the trial.
-- grain: trial_id, layer or null
select
    trial_id,
    layer,  -- null for the trial as a whole
    any_value(auc) filter (metric = 'ablation') as auc,
    any_value(split) filter (metric = 'ablation') as auc_split,  -- that the area was measured on
    any_value(options) filter (metric = 'ablation') as auc_options,  -- of ablation, all that are not its defaults
    any_value(similar_units) filter (metric = 'similarity') as similar_units,
    any_value(dead_share) filter (metric = 'similarity') as dead_share,
    any_value(split) filter (metric = 'similarity') as similarity_split,  -- that similar units were measured on
    any_value(options) filter (metric = 'similarity') as similarity_options  -- all that are not its defaults
from default_measurements
join sample_means using (sweep_id, trial_id, split)
where definition = 'released'
group by all

-- Scores of each layer by setting and width, over replicates and samples.
-- grain: sweep_id, definition, split, series, width, layer
select
    sweep_id,
    sweep,
    figures,
    definition,
    split,
    series,
    network,
    dataset,
    width,
    layer,  -- by name
    layers.layer_index,
    least(nullif(count(auc), 0), nullif(count(similar_units), 0), count(*)) as replicates,  -- the fewest behind a mean
    avg(auc) as auc,
    stddev_pop(auc) as auc_std,  -- standard deviation over replicates
    avg(similar_units) as similar_units,  -- mean over units and replicates
    stddev_pop(similar_units) as similar_units_replicate_std,  -- standard deviation over replicates
    avg(similar_units_std) as similar_units_std,  -- standard deviation over units, mean over replicates
    avg(similar_units_sample_std) as similar_units_sample_std,  -- deviation over samples, mean over replicates
    avg(dead_share) as dead_share,
    list(trial_id order by trial_id) as trials  -- their ids
from sample_means
join final_trials using (sweep_id, trial_id)
join layers using (trial_id, layer)
group by all

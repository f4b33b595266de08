-- Scores of each layer of each final trial that is done, once: as released, and as the latest sweep with it shows it.
-- grain: trial_id, layer
select
    trial_id,
    sweep_id,
    sweep,
    series,
    network,
    dataset,
    width,
    replicate,
    split,
    layer,  -- by name
    layers.layer_index,  -- from 0, as the input meets them
    layers.units,  -- kernels, of a convolution
    sample_means.auc,
    sample_means.similar_units,
    sample_means.dead_share
from scores
join sample_means using (sweep_id, trial_id, split)
join layers using (trial_id, layer)
where sample_means.definition = 'released'

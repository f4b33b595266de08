-- Scores of each layer of each final trial that is done, once, as `scores` has them.
-- grain: trial_id, layer
select
    trial_id,
    scores.sweeps,
    scores.network,
    scores.dataset,
    scores.width,
    scores.replicate,
    layer,  -- by name
    layers.layer_index,  -- from 0, as the input meets them
    layers.units,  -- kernels, of a convolution
    default_scores.auc,
    default_scores.auc_split,
    default_scores.auc_options,
    default_scores.similar_units,
    default_scores.dead_share,
    default_scores.similarity_split,
    default_scores.similarity_options
from scores
join default_scores using (trial_id)
join layers using (trial_id, layer)

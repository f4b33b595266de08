-- Levels to which units were taken out of each final trial, as its sweep asks for.
-- grain: sweep_id, trial_id, split, surgery, rule, level
with layers as (
    select
        trial_id,
        measurement_id,
        surgery,
        rule,
        level,
        sum(units) as units,
        sum(kept) as kept,
        avg(kept / units) as share_kept
    from compressed_layers
    group by all
)

select
    sweep_id,
    trial_id,
    split,
    surgery,
    rule,
    level,
    layers.units,  -- of all layers
    layers.kept,  -- of all layers, with a constant one where offsets need it
    layers.share_kept,  -- of a layer's units, mean over the layers
    parameters,
    flops,
    unchanged_validation,
    unchanged,
    accuracy
from asked_measurements
join compression using (trial_id, measurement_id)
join layers using (trial_id, measurement_id, surgery, rule, level)

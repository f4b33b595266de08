-- Share of labels unchanged at each dropped fraction: as the paper's text defines it, and as the released code does.
-- grain: sweep_id, trial_id, definition, split, sample, fraction
with measured as (
    select
        sweep_id, trial_id, only_layer, released_layer, released_scope,
        split, scope, granularity, layer, sample, fraction, unchanged, accuracy
    from asked_measurements
    join ablation using (trial_id, measurement_id)
)

-- text: single applications of a kernel, one layer at a time, mean over the layers (section 3)
select
    sweep_id,
    trial_id,
    'text' as definition,  -- text or released
    scope,
    split,
    sample,
    fraction,
    avg(unchanged) as unchanged,
    avg(accuracy) as accuracy
from measured
where scope = 'layer' and granularity = 'application' and (only_layer is null or layer = only_layer)
group by all

union all

-- released: whole kernels; `scope` says whether in all layers at once or in one at a time, which follows the network
select
    sweep_id, trial_id, 'released' as definition, scope, split, sample, fraction,
    avg(unchanged) as unchanged, avg(accuracy) as accuracy
from measured
where scope = released_scope and granularity = 'kernel' and (released_layer is null or layer = released_layer)
group by all

-- Share of labels unchanged while units of one layer are dropped: single applications (text) or whole kernels (released).
-- grain: sweep_id, trial_id, definition, split, sample, layer, fraction
select
    sweep_id,
    trial_id,
    case granularity when 'application' then 'text' else 'released' end as definition,  -- text or released
    split,
    sample,
    layer,  -- by name
    fraction,
    unchanged
from asked_measurements
join ablation using (trial_id, measurement_id)
where scope = 'layer'

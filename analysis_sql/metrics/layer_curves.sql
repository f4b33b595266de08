-- Share of labels unchanged while units of one layer are dropped: single applications (text) or whole kernels (released).
-- grain: sweep_id, trial_id, definition, split, sample, layer, fraction
select
    sweep_finals.sweep_id,
    ablation.trial_id,
    case ablation.granularity when 'application' then 'text' else 'released' end as definition,
    ablation.split,
    ablation.sample,
    ablation.layer,
    ablation.fraction,
    ablation.unchanged
from sweep_finals
join ablation using (trial_id)
join sweep_measurements
    on sweep_measurements.sweep_id = sweep_finals.sweep_id
    and sweep_measurements.measurement_id = ablation.measurement_id
where ablation.scope = 'layer'

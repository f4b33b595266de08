-- Share of labels unchanged at each dropped fraction: as the paper's text defines it, and as the released code does.
-- grain: sweep_id, trial_id, definition, split, sample, fraction
with chosen as (
    select sweep_finals.*, ablation.* exclude (trial_id)
    from sweep_finals
    join ablation using (trial_id)
    join sweep_measurements
        on sweep_measurements.sweep_id = sweep_finals.sweep_id
        and sweep_measurements.measurement_id = ablation.measurement_id
)

-- text: single applications of a kernel, one layer at a time, mean over the layers (section 3)
select sweep_id, trial_id, 'text' as definition, split, sample, fraction, avg(unchanged) as unchanged, avg(accuracy) as accuracy
from chosen
where scope = 'layer'
    and granularity = 'application'
    and (only_layer is null or layer = only_layer)
group by all

union all

-- released: whole kernels, in all layers at once; for ImageNet one layer at a time, and for Inception-v3 one layer only
select sweep_id, trial_id, 'released' as definition, split, sample, fraction, avg(unchanged) as unchanged, avg(accuracy) as accuracy
from chosen
where granularity = 'kernel'
    and case
        when released_layer is not null then layer = released_layer
        when starts_with(dataset, 'imagenet') then scope = 'layer'
        else scope = 'network'
    end
group by all

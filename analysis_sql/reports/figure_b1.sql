-- Figure B1: trainable parameters against width, one panel for each kind of data; needs no training.
-- grain: sweep_id, series, width
-- drawing: figure_b1
select
    sweeps.sweep_id,
    sweeps.name as sweep,
    case
        when starts_with(sweep_groups.network, 'mlp') then 'Synthetic data'
        when regexp_matches(sweep_groups.network, '^(alexnet|resnet56)') then 'CIFAR-10'
        else 'ImageNet'
    end as panel,
    coalesce(sweep_groups.variant, sweep_groups.network) as series,
    sweep_groups.network,
    sweep_groups.dataset,
    sweep_groups.width,
    max(sweep_groups.parameters) as parameters
from sweeps
join sweep_groups using (sweep_id)
where list_contains(sweeps.figures, 'B1')
group by all

-- Figure B1: trainable parameters against width, one panel for each kind of data; needs no training.
-- grain: sweep_id, series, width
-- drawing: figure_b1
select
    sweeps.sweep_id,
    sweeps.name as sweep,  -- its name
    coalesce(protocol.panel, split_part(sweep_groups.dataset, '(', 1)) as panel,
    coalesce(sweep_groups.variant, sweep_groups.network) as series,  -- the variant, or the network
    sweep_groups.network,
    sweep_groups.dataset,
    sweep_groups.width,
    max(sweep_groups.parameters) as parameters  -- trainable ones
from sweeps
join sweep_groups using (sweep_id)
left join protocol on protocol.network = split_part(sweep_groups.network, '(', 1)
where list_contains(sweeps.figures, 'B1')
group by all

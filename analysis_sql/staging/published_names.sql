-- What the paper calls the networks and data of trials and settings; those that it has not are left out.
-- grain: network, dataset
with ours as (
    select network, dataset
    from trials
    union
    select network, dataset
    from sweep_groups
)

select
    ours.network,
    ours.dataset,
    protocol.paper_network,
    paper_datasets.paper_dataset
from ours
join protocol on protocol.network = split_part(ours.network, '(', 1)
join paper_datasets
    on paper_datasets.dataset = split_part(ours.dataset, '(', 1)
    and coalesce(paper_datasets.dimensions, '') = regexp_extract(ours.dataset, '[( ]dimensions=(\d+)', 1)

-- What the paper calls the networks and data of trials and settings; those that it has not are left out.
-- grain: network, dataset
with ours as (
    select network, dataset
    from trials
    union
    select network, dataset
    from sweep_groups
),

named as (
    select
        network,
        dataset,
        case split_part(network, '(', 1)
            when 'mlp' then 'MLP'
            when 'alexnet' then 'AlexNet'
            when 'resnet56' then 'ResNet56'
            when 'resnet18' then 'ResNet18'
            when 'inception_v3' then 'Inceptionv3'
            when 'inception_v3_layer' then 'Inceptionv3-layer'
        end as paper_network,  -- as the authors name it
        case split_part(dataset, '(', 1)
            when 'cifar10' then 'CIFAR-10'
            when 'imagenet' then 'ImageNet'
            when 'noise' then '-'
            when 'teacher' then case regexp_extract(dataset, '[( ]dimensions=(\d+)', 1)
                when '' then 'synthetic-10'  -- the default
                when '10' then 'synthetic-10'
                when '10000' then 'synthetic-10k'
            end
        end as paper_dataset  -- as the authors name it, without the split; - for numbers of parameters
    from ours
)

from named
where paper_network is not null and paper_dataset is not null

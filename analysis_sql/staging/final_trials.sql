-- Final trials of each sweep, with their settings as figures name them; `series` names the variant and what else varies.
-- grain: sweep_id, trial_id, series
with asked as (
    select sweep_id, definition, unnest(ifnull(nullif(definition -> '$.variants[*]', []), ['{}'])) as variant
    from sweeps
),

axes as (
    select
        sweep_id,
        variant ->> '$.name' as variant,
        bool_or(
            len(ifnull(nullif(variant -> '$.grid.learning_rate[*]', []), definition -> '$.grid.learning_rate[*]')) > 1
        ) as has_rates
    from asked
    group by all
),

labelled as (
    select
        sweep_trials.sweep_id,
        trials.trial_id,
        sweep_groups.variant,
        coalesce(optimizers.label, trials.optimizer) as optimizer,
        coalesce(
            initializers.label, regexp_replace(trials.initializer, '^normal\(sigma=([^,]*?)(\.0)?\)$', 'σ = \1')
        ) as initializer,
        regularizers.label as regularizer,
        random_labels.label as labels,
        format('k = {:g}', trials.lr_batch_factor) as factor,
        coalesce(trials.config ->> '$.parametrization', 'standard') as parametrization,
        (trials.config ->> '$.richness')::double as richness,
        (trials.config ->> '$.epochs')::integer as epochs,
        -- rates that a search chose differ between settings, not within one
        case when has_rates then format('η = {:g}', (trials.config ->> '$.learning_rate')::double) end as rate
    from sweep_trials
    join trials using (trial_id)
    left join sweep_groups using (sweep_id, group_id)
    left join axes on axes.sweep_id = sweep_trials.sweep_id and axes.variant is not distinct from sweep_groups.variant
    left join labels as optimizers on optimizers.kind = 'optimizer' and optimizers.name = trials.optimizer
    left join labels as initializers on initializers.kind = 'initializer' and initializers.name = trials.initializer
    left join labels as random_labels
        on random_labels.kind = 'random_labels' and random_labels.name = trials.random_labels::varchar
    left join labels as regularizers
        on regularizers.kind = 'regularizer'
        and regularizers.name = coalesce(
            nullif(concat_ws(' + ',
                case when trials.augmentation then 'augmentation' end,
                case when trials.dropout > 0 then 'dropout' end,
                case when trials.weight_decay > 0 then 'weight_decay' end
            ), ''),
            'none'
        )
    where sweep_trials.kind = 'final'
)

select
    sweeps.sweep_id,
    sweeps.name as sweep,  -- its name
    sweeps.figures,
    trials.trial_id,
    trials.network,
    trials.dataset,
    trials.width,
    trials.replicate,
    trials.status,
    trials.lr_batch_factor,
    labelled.variant,
    labelled.epochs,  -- that training may last
    -- since the published curves of MLPs are of two sizes
    case when trials.config ->> '$.dataset.name' = 'teacher'
        then coalesce((trials.config ->> '$.dataset.options.train_size')::integer, 1000)
        else 0
    end as teacher_examples,  -- that an MLP learnt from; 0 for other data
    labelled.optimizer,  -- as figures call it
    labelled.labels,  -- true or random, as figures call them
    labelled.initializer,  -- as figures call it
    labelled.regularizer,  -- augmentation, dropout and weight decay, as figures call them
    trials.learning_rate,
    trials.batch_size,
    trials.epochs_run,
    trials.parameters,
    trials.train_accuracy,
    trials.validation_accuracy,
    trials.test_accuracy,
    coalesce(
        nullif(concat_ws(', ',
            labelled.variant,
            case when count(distinct labelled.initializer) over alike > 1 then labelled.initializer end,
            case when count(distinct labelled.regularizer) over alike > 1 then labelled.regularizer end,
            case when count(distinct labelled.labels) over alike > 1 then labelled.labels end,
            case when count(distinct labelled.optimizer) over alike > 1 then labelled.optimizer end,
            case when count(distinct labelled.parametrization) over alike > 1 then labelled.parametrization end,
            case when count(distinct coalesce(labelled.richness, 0)) over alike > 1
                then coalesce(format('γ = {:g}', labelled.richness), 'no γ')
            end,
            labelled.rate,
            case when count(distinct labelled.factor) over alike > 1 then labelled.factor end,
            case when count(distinct labelled.epochs) over alike > 1 then labelled.epochs || ' epochs' end
        ), ''),
        labelled.initializer
    ) as series,  -- the variant and what else varies in the sweep; if nothing does, the initializer
    labelled.parametrization,  -- standard or mup
    labelled.richness  -- γ; null where nothing is subtracted from the logits
from labelled
join sweeps using (sweep_id)
join trials using (trial_id)
window alike as (partition by labelled.sweep_id, labelled.variant)

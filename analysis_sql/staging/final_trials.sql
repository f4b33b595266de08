-- Final trials of each sweep, with their settings as figures name them; `series` names the variant and what else varies.
-- grain: sweep_id, trial_id, series
with labelled as (
    select
        sweeps.sweep_id,
        sweeps.name as sweep,
        sweeps.figures,
        trials.trial_id,
        trials.network,
        trials.dataset,
        trials.width,
        trials.replicate,
        trials.status,
        trials.lr_batch_factor,
        sweep_groups.variant,
        (trials.config ->> '$.epochs')::integer as epochs,
        -- how many examples of a teacher an MLP learnt from, since its published curves are of two sizes; else 0
        case when starts_with(trials.dataset, 'teacher')
            then coalesce((trials.config ->> '$.dataset.options.train_size')::integer, 1000)
            else 0
        end as teacher_examples,
        case trials.optimizer
            when 'momentum' then 'Momentum'
            when 'sgd' then 'SGD'
            when 'adam' then 'Adam'
            when 'rmsprop' then 'RMSProp'
            else trials.optimizer
        end as optimizer,
        case when trials.random_labels then 'Random labels' else 'True labels' end as labels,
        case trials.initializer
            when 'glorot_normal' then 'Glorot Norm'
            when 'glorot_uniform' then 'Glorot Unif'
            when 'he_normal' then 'He Norm'
            when 'he_uniform' then 'He Unif'
            when 'lecun_normal' then 'LeCun Norm'
            when 'lecun_uniform' then 'LeCun Unif'
            else regexp_replace(trials.initializer, '^normal\(sigma=([^,]*?)(\.0)?\)$', 'σ = \1')
        end as initializer,
        case
            when trials.augmentation and trials.dropout > 0 and trials.weight_decay > 0 then 'All'
            else coalesce(
                nullif(concat_ws(' + ',
                    case when trials.augmentation then 'Data Aug.' end,
                    case when trials.dropout > 0 then 'Dropout' end,
                    case when trials.weight_decay > 0 then 'Weight Decay' end
                ), ''),
                'None'
            )
        end as regularizer,
        trials.parameters,
        trials.train_accuracy,
        trials.validation_accuracy,
        trials.test_accuracy
    from sweeps
    join sweep_trials using (sweep_id)
    join trials using (trial_id)
    left join sweep_groups using (sweep_id, group_id)
    where sweep_trials.kind = 'final'
),

axes as (
    select
        sweep_id,
        variant,
        count(distinct initializer) > 1 as varies_initializer,
        count(distinct regularizer) > 1 as varies_regularizer,
        count(distinct labels) > 1 as varies_labels,
        count(distinct optimizer) > 1 as varies_optimizer,
        count(distinct lr_batch_factor) > 1 as varies_factor,
        count(distinct epochs) > 1 as varies_epochs
    from labelled
    group by all
)

select
    labelled.*,
    coalesce(
        nullif(concat_ws(', ',
            labelled.variant,
            case when varies_initializer then initializer end,
            case when varies_regularizer then regularizer end,
            case when varies_labels then labels end,
            case when varies_optimizer then optimizer end,
            case when varies_factor then 'k = ' || regexp_replace(lr_batch_factor::varchar, '\.0$', '') end,
            case when varies_epochs then epochs || ' epochs' end
        ), ''),
        initializer
    ) as series
from labelled
join axes on axes.sweep_id = labelled.sweep_id and axes.variant is not distinct from labelled.variant

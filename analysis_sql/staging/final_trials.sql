-- Final trials of each sweep, with their settings as figures name them; `series` names the axes that the sweep varies.
-- grain: sweep_id, trial_id
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
        trials.optimizer,
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
        coalesce(
            nullif(concat_ws(' + ',
                case when trials.augmentation then 'Data Aug.' end,
                case when trials.dropout > 0 then 'Dropout' end,
                case when trials.weight_decay > 0 then 'Weight Decay' end
            ), ''),
            'None'
        ) as regularizer,
        trials.parameters,
        trials.train_accuracy,
        trials.validation_accuracy,
        trials.test_accuracy
    from sweeps
    join sweep_trials using (sweep_id)
    join trials using (trial_id)
    where sweep_trials.kind = 'final'
),

axes as (
    select
        sweep_id,
        count(distinct initializer) > 1 as varies_initializer,
        count(distinct regularizer) > 1 as varies_regularizer,
        count(distinct labels) > 1 as varies_labels,
        count(distinct optimizer) > 1 as varies_optimizer,
        count(distinct lr_batch_factor) > 1 as varies_factor
    from labelled
    group by all
)

select
    labelled.*,
    coalesce(
        nullif(concat_ws(', ',
            case when varies_initializer then initializer end,
            case when varies_regularizer then regularizer end,
            case when varies_labels then labels end,
            case when varies_optimizer then optimizer end,
            case when varies_factor then 'k = ' || regexp_replace(lr_batch_factor::varchar, '\.0$', '') end
        ), ''),
        initializer
    ) as series
from labelled
join axes using (sweep_id)

-- The paper's curves under our names: one value of a score at each point of a series, accuracies and areas as shares.
-- grain: figure, split, series, width, x, score, teacher_examples
with named as (
    select
        regexp_extract(figure, '^\w+') || case when figure = '1' then panel else '' end as figure,
        case when figure like '%2021 re-run%' then 1000 when figure in ('B4', 'B5') then 100000 else 0 end as teacher_examples,
        case when dataset like '% train' then 'train' else 'test' end as split,
        dataset,
        series,
        width as x,
        x_kind,
        metric,
        value,
        error
    from published
    where not starts_with(figure, '(unpublished)')
        and figure not like '2 (2021%'
        and figure not like 'B6%'
        and not contains(metric, 'errorbar')
),

labelled as (
    select
        figure,
        teacher_examples,
        case when metric = 'top1_accuracy_pct' then 'test' else split end as split,
        case
            when figure = '2' then 'Glorot Norm'
            when figure = '3' then replace(series, ', conv2', '')
            when figure in ('B4', 'B5') then 'σ = ' || case series
                when '1e-4' then '0.0001' when '1e-2' then '0.01' when '1' then '1' when '1e2' then '100' else '10000'
            end
            when figure = 'B11' then
                case when dataset like '%-10k%' then '10,000 dim., ' else '10 dim., ' end
                || replace(series, 'RMSprop', 'RMSProp')
            when figure = 'B13' then replace(replace(series, 'ResNet-', 'ResNet56-'), '-k=', ', k = ')
            when series = 'W. Decay' then 'Weight Decay'
            when figure = 'B1' then replace(replace(series, ' 10K dim', ', 10,000 dim.'), ' 10 dim', ', 10 dim.')
            else replace(replace(series, 'Unif.', 'Unif'), 'Lecun', 'LeCun')
        end as series,
        case
            when x_kind = 'width_factor' then x
            when regexp_matches(series, '^x?[0-9/]+x?$') then
                regexp_extract(series, '^x?(\d)', 1)::double
                / coalesce(nullif(regexp_extract(series, '/(\d)', 1), ''), '1')::double
        end as width,
        -- where on the x axis; of a figure over widths that is the width
        case when x_kind = 'epochs_before_completion' then abs(x) else x end as x,
        case metric
            when 'top1_accuracy_pct' then split || '_accuracy'
            when 'auc_unchanged_labels' then 'auc'
            when 'similar_units_per_unit' then 'similar_units'
            when 'pct_unchanged_labels' then 'unchanged'
            when 'mean_abs_pearson_r' then 'mean_abs_r'
            when 'trainable_params' then 'parameters'
        end as score,
        value / case when contains(metric, 'pct') then 100 else 1 end as value,
        error / case when contains(metric, 'pct') then 100 else 1 end as error
    from named
)

-- some points are both printed and drawn: the more exact reading counts
select
    figure,
    split,
    case when figure = 'B2' then 'ResNet18' else series end as series,
    width,
    x,
    score,
    teacher_examples,
    arg_min(value, error) as value,
    min(error) as error
from labelled
group by all

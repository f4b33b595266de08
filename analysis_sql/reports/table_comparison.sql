-- Paper beside ours: every published value that our trials have a counterpart of, and how far ours is from it.
-- grain: sweep_id, figure, split, series, width, x, score
with by_width as (
    select
        sweep_id, sweep, unnest(figures) as figure, definition, split, series, width, width as x, teacher_examples, score,
        case score
            when 'test_accuracy' then test_accuracy
            when 'train_accuracy' then train_accuracy
            when 'auc' then auc
            else similar_units
        end as ours,
        case score
            when 'test_accuracy' then test_accuracy_std
            when 'train_accuracy' then train_accuracy_std
            when 'auc' then auc_std
            else similar_units_replicate_std
        end as replicate_std,
        replicates
    from scores_by_width
    cross join (values ('test_accuracy'), ('train_accuracy'), ('auc'), ('similar_units')) as scores (score)
),

before_end as (
    select
        sweep_id, sweep, 'B2' as figure, definition, split, series, width, epochs_before_end as x, 0 as teacher_examples,
        score,
        case score when 'test_accuracy' then test_accuracy when 'auc' then auc else similar_units end as ours,
        case score when 'test_accuracy' then test_accuracy_std when 'auc' then auc_std else similar_units_replicate_std end
            as replicate_std,
        replicates
    from figure_b2
    cross join (values ('test_accuracy'), ('auc'), ('similar_units')) as scores (score)
),

found as (
    select * from by_width where figure <> 'B2'
    union all by name
    select * from before_end
    union all by name
    select
        sweep_id, sweep, '2' as figure, definition, split, series, width, round(fraction, 4) as x, 0 as teacher_examples,
        'unchanged' as score, unchanged as ours, null as replicate_std, replicates
    from figure_2
    union all by name
    select distinct
        sweep_id, sweep, '3' as figure, 'released' as definition, split, series, width, width as x,
        0 as teacher_examples, 'mean_abs_r' as score, mean_abs_r as ours, null as replicate_std, len(trials) as replicates
    from figure_3
    union all by name
    select
        sweep_id, sweep, 'B1' as figure, 'released' as definition, 'test' as split, series, width, width as x,
        0 as teacher_examples, 'parameters' as score, parameters as ours, null as replicate_std, 0 as replicates
    from figure_b1
)

select
    found.sweep_id,
    found.sweep,
    found.figure,
    found.split,
    found.series,
    found.width,
    found.x,
    found.score,
    published_points.value as paper,
    published_points.error as reading_error,
    found.ours,
    found.ours - published_points.value as difference,
    found.replicate_std,
    found.replicates
from found
join latest_sweeps using (sweep_id)
join published_points using (figure, split, series, width, x, score, teacher_examples)
where found.ours is not null and found.definition = 'released'  -- as which the paper's pictures were made

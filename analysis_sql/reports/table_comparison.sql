-- Paper beside ours: every published value that our trials have a counterpart of, and how far ours is from it.
-- grain: sweep_id, figure, split, series, width, x, score
with by_width as (
    select
        sweep_id, sweep, definition, split, series, network, dataset, width, width as x, teacher_examples,
        unnest(list_filter(figures, lambda figure: figure <> 'B2')) as figure,
        replicates, test_accuracy, test_accuracy_std, train_accuracy, train_accuracy_std, auc, auc_std, similar_units,
        similar_units_replicate_std
    from scores_by_width
    union all by name
    select
        sweep_id, sweep, 'B2' as figure, definition, split, series, network, dataset, width, epochs_before_end as x,
        teacher_examples,
        replicates, test_accuracy, test_accuracy_std, train_accuracy, train_accuracy_std, auc, auc_std, similar_units,
        similar_units_replicate_std
    from figure_b2
),

ours as (
    from by_width unpivot (
        (ours, replicate_std) for score in (
            (test_accuracy, test_accuracy_std) as 'test_accuracy',
            (train_accuracy, train_accuracy_std) as 'train_accuracy',
            (auc, auc_std) as 'auc',
            (similar_units, similar_units_replicate_std) as 'similar_units'
        )
    )
    union all by name
    select
        sweep_id, sweep, '2' as figure, definition, split, series, network, dataset, width, round(fraction, 4) as x,
        0 as teacher_examples, 'unchanged' as score, unchanged as ours, replicates
    from figure_2
    union all by name
    select distinct
        sweep_id, sweep, '3' as figure, 'released' as definition, split, series, network, dataset, width,
        width as x, 0 as teacher_examples, 'mean_abs_r' as score, mean_abs_r as ours, len(trials) as replicates
    from figure_3
    union all by name
    select
        sweep_id, sweep, 'B1' as figure, 'released' as definition, 'test' as split, series, network, dataset, width,
        width as x, 0 as teacher_examples, 'parameters' as score, parameters as ours, 0 as replicates
    from figure_b1
)

select
    ours.sweep_id,
    ours.sweep,
    ours.figure,
    ours.split,
    ours.series,
    ours.width,
    ours.x,
    ours.score,
    published_points.value as paper,  -- the published value
    published_points.error as reading_error,  -- of the published value
    ours.ours,  -- our value, mean over replicates
    ours.ours - published_points.value as difference,  -- ours - paper
    ours.replicate_std,  -- standard deviation of ours over replicates
    ours.replicates,
    departures.departures  -- what our trials have and the paper's have not
from ours
join published_names using (network, dataset)
join published_points
    using (figure, split, series, width, x, score, teacher_examples, paper_network, paper_dataset)
left join departures using (sweep_id)
where ours.ours is not null and ours.definition = 'released'  -- as which the paper's pictures were made

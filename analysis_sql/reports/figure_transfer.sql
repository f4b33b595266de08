-- Figure Transfer: training loss against learning rate at each width, and the best rate of each width.
-- grain: sweep_id, series, width, learning_rate
-- drawing: figure_transfer
with best_of_replicate as (
    select sweep_id, series, width, replicate, min_by(learning_rate, train_loss) as best_rate
    from transfer
    group by sweep_id, series, width, replicate
    qualify count(*) = max(count(*)) over (partition by sweep_id, series)  -- those that have every rate
),

best as (
    select
        sweep_id,
        series,
        width,
        geomean(best_rate) as best_rate,
        min(best_rate) as best_low,
        max(best_rate) as best_high
    from best_of_replicate
    group by all
)

select
    sweep_id,
    sweep,
    network,
    dataset,
    series,
    width,
    learning_rate,
    -- geometric mean over replicates; null if any diverged
    case when count(train_loss) = count(*) then geomean(train_loss) end as train_loss,
    any_value(best_rate) as best_rate,  -- of the smallest loss, geometric mean over replicates
    any_value(best_low) as best_low,  -- smallest of the replicates
    any_value(best_high) as best_high,  -- largest of the replicates
    count(*) as replicates,  -- trials behind the means
    list(trial_id order by trial_id) as trials  -- their ids
from transfer
left join best using (sweep_id, series, width)
where
    sweep_id in (select sweep_id from sweep_figures where figure = 'Transfer')
    and sweep_id in (select sweep_id from transfer where train_loss is not null)
group by all

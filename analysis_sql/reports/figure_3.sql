-- Figure 3: how |r| is spread over the pairs of units of the last convolutional layer, by series and width.
-- grain: sweep_id, split, series, width, layer, bin_low
-- drawing: figure_3
with last_layer as (
    select trial_id, arg_max(layer, (positions > 1, layer_index)) as layer
    from layers
    group by all
),

counted as (
    select
        final_trials.sweep_id,
        final_trials.sweep,
        correlations.split,
        final_trials.network,
        final_trials.dataset,
        final_trials.series,
        final_trials.width,
        last_layer.layer,
        correlations.bin_low,
        correlations.bin_high,
        sum(correlations.pairs)::bigint as pairs,
        list(distinct final_trials.trial_id order by final_trials.trial_id) as trials  -- their ids
    from final_trials
    join asked_measurements using (sweep_id, trial_id)
    join correlations using (trial_id, measurement_id)
    join last_layer using (trial_id, layer)
    where list_contains(final_trials.figures, '3')
    group by all
)

select
    *,
    pairs / sum(pairs) over setting as share,  -- of the pairs, those in this bin
    sum(pairs * (bin_low + bin_high) / 2) over setting / sum(pairs) over setting as mean_abs_r  -- over the pairs
from counted
window setting as (partition by sweep_id, split, series, width, layer)

-- The narrowest network that a surgery makes of each final trial while validation keeps enough of its labels.
-- grain: sweep_id, trial_id, series, split, surgery, tolerance
with allowed(surgery, done) as (  -- who may drop or merge may do either alone
    values ('drop', 'drop'), ('merge', 'merge'), ('rebuild', 'rebuild'),
    ('either', 'drop'), ('either', 'merge'), ('either', 'either')
),

asked as (
    select distinct sweep_id, trial_id, split, surgery
    from compression_levels
)

select
    final_trials.sweep_id,
    final_trials.sweep,
    final_trials.trial_id,
    final_trials.network,
    final_trials.dataset,
    final_trials.series,
    final_trials.replicate,
    final_trials.width,
    levels.split,
    asked.surgery,
    tolerances.tolerance,
    final_trials.width * levels.share_kept as compressed_width,  -- width × mean share of units kept
    levels.share_kept,
    levels.units,
    levels.kept,
    levels.parameters,
    levels.flops,
    levels.unchanged_validation,  -- by which the level was chosen
    levels.unchanged,
    levels.accuracy,
    final_trials.richness
from asked
join allowed using (surgery)
join compression_levels as levels
    on levels.sweep_id = asked.sweep_id
    and levels.trial_id = asked.trial_id
    and levels.split = asked.split
    and levels.surgery = allowed.done
join final_trials
    on final_trials.sweep_id = levels.sweep_id
    and final_trials.trial_id = levels.trial_id
join tolerances on levels.unchanged_validation >= tolerances.tolerance
where levels.rule in ('error', 'refined')
qualify row_number() over (
    partition by final_trials.sweep_id, final_trials.trial_id, final_trials.series, levels.split, asked.surgery,
        tolerances.tolerance
    order by levels.share_kept, levels.unchanged_validation desc, levels.level, levels.surgery
) = 1

-- Final trials of each sweep, each once, and which layers of its network the definitions look at.
-- grain: sweep_id, trial_id
select distinct
    sweep_trials.sweep_id,
    trials.trial_id,
    protocol.only_layer,
    protocol.released_layer,
    coalesce(protocol.released_scope, 'network') as released_scope
from sweep_trials
join trials using (trial_id)
left join protocol on protocol.network = split_part(trials.network, '(', 1)
where sweep_trials.kind = 'final'

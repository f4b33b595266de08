-- Final trials of each sweep, each once, and the one layer that the definitions look at where it is not all of them.
-- grain: sweep_id, trial_id
select distinct
    sweep_trials.sweep_id,
    trials.trial_id,
    trials.network,
    trials.dataset,
    -- only this layer is scaled
    case when starts_with(trials.network, 'inception_v3_layer') then 'mixed_2' end as only_layer,
    -- only this layer's curve is in the released code's figure 4
    case
        when starts_with(trials.network, 'inception_v3_layer') then 'mixed_2'
        when starts_with(trials.network, 'inception_v3') then 'mixed_8'
    end as released_layer
from sweep_trials
join trials using (trial_id)
where sweep_trials.kind = 'final'

-- What the trials of a sweep have and the paper's have not, if no series names it: `mup, random labels`.
-- grain: sweep_id
with told as (
    select sweep_id, unnest([
        -- synthetic data is compared by its size
        case when contains(dataset, '_size=') and not starts_with(dataset, 'teacher') then dataset end,
        case when contains(network, '(') then network end,
        case when parametrization <> 'standard' then parametrization end,
        format('γ = {:g}', richness),
        case when labels = 'Random labels' and not coalesce(variant like '%-Random', false) then 'random labels' end,
        case when variant is null and optimizer <> 'Momentum' and not contains(series, optimizer) then optimizer end,
        case when variant is null and regularizer <> 'None' and not contains(series, regularizer) then regularizer end
    ]) as departure
    from final_trials
    union all
    select sweep_id, unnest([
        case when metric = 'similarity' then format('similar from |r| = {:g} on', (options ->> '$.threshold')::double) end,
        case when metric = 'ablation' then (options ->> '$.fractions') || ' shares of units dropped' end
    ]) as departure
    from sweep_measurements
    join (select distinct measurement_id, options from measurements) using (measurement_id)
)

select
    sweep_id,
    string_agg(distinct departure, ', ' order by departure) as departures  -- in words
from told
where departure is not null
group by sweep_id

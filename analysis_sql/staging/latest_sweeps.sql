-- The latest sweep of each name, which tables show.
-- grain: sweep_id
select name, arg_max(sweep_id, updated_at) as sweep_id
from sweeps
group by all

-- Figures that each sweep feeds: those that it names, and those of compressed widths if it measures them.
-- grain: sweep_id, figure
select sweep_id, unnest(figures) as figure  -- its name
from sweeps

union

select sweep_id, unnest(['Width', 'Curve']) as figure
from sweep_measurements
where metric = 'compression'

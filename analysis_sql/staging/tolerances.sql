-- Shares of labels that must stay unchanged in a compressed network.
-- grain: tolerance
select unnest([0.8, 0.9, 0.95, 0.99, 1.0]) as tolerance  -- smallest share of labels that stay

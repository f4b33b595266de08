-- Smallest |r| at which two units count as similar: the values between which verdicts are compared.
-- grain: threshold
select unnest(range(30, 100, 10)) / 100 as threshold  -- of |r|, from which on two units are similar

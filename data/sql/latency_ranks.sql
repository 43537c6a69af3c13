-- Milliseconds at three ranks of all pictures, and how many there are; ranks are shares of them.
SELECT
    quantile_disc(milliseconds, 0.99) AS p99,
    quantile_disc(milliseconds, $low::DOUBLE) AS low,
    quantile_disc(milliseconds, $high::DOUBLE) AS high,
    count(*) AS n
FROM predictions
WHERE local_at >= $since AND local_at < $until
  {at_model}

-- Milliseconds for a picture by site: half, 95 and 99 in 100 took no longer, from every prediction.
SELECT
    site_id,
    quantile_disc(milliseconds, [0.50, 0.95, 0.99]) AS percentiles,
    count(*) AS n
FROM predictions
GROUP BY ALL
ORDER BY ALL

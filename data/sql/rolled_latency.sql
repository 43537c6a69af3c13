-- Milliseconds for a picture by site, within 1.5%: half, 95 and 99 in 100 took no longer.
WITH ranked AS (
    SELECT
        site_id, step,
        sum(sum(n)) OVER (PARTITION BY site_id ORDER BY step) AS upto,
        sum(sum(n)) OVER (PARTITION BY site_id) AS total
    FROM latency
    GROUP BY site_id, step
)
SELECT
    site_id,
    [pow(1.03, min(CASE WHEN upto >= ceil(0.50 * total) THEN step END) + 0.5),
     pow(1.03, min(CASE WHEN upto >= ceil(0.95 * total) THEN step END) + 0.5),
     pow(1.03, min(CASE WHEN upto >= ceil(0.99 * total) THEN step END) + 0.5)] AS percentiles,
    any_value(total)::BIGINT AS n
FROM ranked
GROUP BY ALL
ORDER BY ALL

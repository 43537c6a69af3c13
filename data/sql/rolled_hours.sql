-- What share of the parts of each hour passed, was held and failed, by site.
SELECT
    local_hour AS hour, site_id,
    sum(n)::BIGINT AS n,
    coalesce(sum(n) FILTER (outcome = 'PASS'), 0) / sum(n) AS passed,
    coalesce(sum(n) FILTER (outcome = 'HOLD'), 0) / sum(n) AS held,
    coalesce(sum(n) FILTER (outcome = 'FAIL'), 0) / sum(n) AS failed
FROM hourly
GROUP BY ALL
ORDER BY ALL

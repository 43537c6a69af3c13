-- What share of the parts of each hour passed, was held and failed, by site, counted from every decision.
SELECT
    date_trunc('hour', local_at) AS hour, site_id,
    count(*) AS n,
    count(*) FILTER (outcome = 'PASS') / count(*) AS passed,
    count(*) FILTER (outcome = 'HOLD') / count(*) AS held,
    count(*) FILTER (outcome = 'FAIL') / count(*) AS failed
FROM decisions
GROUP BY ALL
ORDER BY ALL

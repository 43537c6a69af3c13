-- Defective parts that customers have reported, by the week of the report: a lower bound, because most escapes are never
-- reported, and a late one; days_late is the median time from shipping to the report, where the day of shipping is known.
-- It estimates nothing and is never drawn beside what audits estimate. Reports that were taken back are not counted.
SELECT
    date_trunc('week', reported_on)::DATE AS bucket,
    CASE $by WHEN 'site' THEN site_id::VARCHAR END AS key,
    sum(parts)::BIGINT AS parts,
    count(*) AS reports,
    median(date_diff('day', shipped_on, reported_on)) AS days_late
FROM reported
WHERE reported_on >= $since AND reported_on < $until
GROUP BY ALL
ORDER BY ALL

-- Answers counted by day; one that was taken back counts -1 where it had counted 1.
SELECT
    date_trunc('day', local_at)::DATE AS local_day,
    site_id, line_id, camera_id, part_type_id, model, policy,
    kind, audited, outcome, verdict,
    {both_said},
    sum(sign)::BIGINT AS n,
    sum(CASE WHEN seconds IS NOT NULL THEN sign ELSE 0 END)::BIGINT AS timed,
    sum(sign * round(coalesce(seconds, 0) * 1000)::BIGINT)::BIGINT AS milliseconds
FROM source
GROUP BY ALL

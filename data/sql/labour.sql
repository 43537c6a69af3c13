-- What inspectors answered, by day or week on the site's own clock: items answered, and how many that is for an hour of
-- looking, from the seconds that a part was on somebody's screen. Answers that were taken back are not counted.
SELECT
    date_trunc($grain, local_day) AS bucket,
    {by_policy} AS key,
    sum(n)::BIGINT AS items,
    sum(timed)::BIGINT AS timed,
    sum(milliseconds)::BIGINT AS milliseconds
FROM answers
WHERE local_day >= $since AND local_day < $until
  {at_policy}
GROUP BY ALL
HAVING sum(n) > 0
ORDER BY ALL

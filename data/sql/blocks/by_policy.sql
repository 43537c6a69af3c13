CASE $by
    {by_name}
    WHEN 'policy' THEN site_id || ':' || policy
END

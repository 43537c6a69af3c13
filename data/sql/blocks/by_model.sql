CASE $by
    {by_name}
END

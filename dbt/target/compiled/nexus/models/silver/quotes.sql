-- Every quote once: the feed gives no key, so equal bytes are two quotes; delivery twice is undone before bronze.



    select b.*
    from "staging"."stg_quotes" as b
    

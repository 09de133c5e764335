-- Corrections and cancels, insert-only.



    select b.*
    from "staging"."stg_trade_amendments" as b
    

-- Corrections and cancels, insert-only.
{{ config(incremental_strategy='append') }}

{{ new_rows(ref('stg_trade_amendments')) }}

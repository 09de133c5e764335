{# Minute of the New York day at which regular trading ends: 13:00 on the half days of the exchanges (the day before Independence Day and before
   Christmas where both are weekdays that trade, the Friday after Thanksgiving), else 16:00. The rule is that of NYSE and Nasdaq since 2004. #}
{% macro session_close_minute(d) %}case
        when month({{ d }}) = 7 and day({{ d }}) = 3 and {{ iso_weekday(d) }} <= 4 then 780
        when month({{ d }}) = 11 and day({{ d }}) between 23 and 29 and {{ iso_weekday(d) }} = 5 then 780
        when month({{ d }}) = 12 and day({{ d }}) = 24 and {{ iso_weekday(d) }} <= 4 then 780
        else 960
    end{% endmacro %}

{# True for a clock that can be right: not before the first day that the project takes for real, not far ahead of the receipt. #}
{% macro plausible_time(ts, received_at) %}({{ ts }} >= cast('{{ var("first_day") }}' as timestamp) and {{ ts }} <= {{ received_at }} + interval {{ var("clock_ahead_days") }} day){% endmacro %}

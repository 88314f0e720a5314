// The SQLSTATE codes this program tests for, under PostgreSQL's own condition names.
// https://www.postgresql.org/docs/current/errcodes-appendix.html
#pragma once

#include <string_view>

namespace socialsync::pg::sqlstate {

inline constexpr std::string_view connection_failure = "08006";
inline constexpr std::string_view feature_not_supported = "0A000";
inline constexpr std::string_view character_not_in_repertoire = "22021";
inline constexpr std::string_view foreign_key_violation = "23503";
inline constexpr std::string_view unique_violation = "23505";
inline constexpr std::string_view read_only_sql_transaction = "25006";
inline constexpr std::string_view idle_in_transaction_session_timeout = "25P03";
inline constexpr std::string_view dependent_objects_still_exist = "2BP01";
inline constexpr std::string_view serialization_failure = "40001";
inline constexpr std::string_view deadlock_detected = "40P01";
inline constexpr std::string_view insufficient_privilege = "42501";
inline constexpr std::string_view undefined_column = "42703";
inline constexpr std::string_view undefined_table = "42P01";
inline constexpr std::string_view object_not_in_prerequisite_state = "55000";
inline constexpr std::string_view lock_not_available = "55P03";
inline constexpr std::string_view query_canceled = "57014";
inline constexpr std::string_view no_data_found = "P0002";
inline constexpr std::string_view internal_error = "XX000";

// The first two characters: a class of conditions.
inline constexpr std::string_view class_data_exception = "22";
inline constexpr std::string_view class_transaction_rollback = "40";
inline constexpr std::string_view class_plpgsql_error = "P0";  // RAISE EXCEPTION, by a trigger for example

}  // namespace socialsync::pg::sqlstate

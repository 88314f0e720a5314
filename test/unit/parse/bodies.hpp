// Webhooks of every shape, written for these tests.
#pragma once

namespace socialsync::parse::test {

inline constexpr const char* bodies[] = {
    // WhatsApp: a message, as it arrives.
    R"({"object":"whatsapp_business_account","entry":[{"id":"700100","changes":[{"value":{"messaging_product":"whatsapp",
    "metadata":{"display_phone_number":"33100000001","phone_number_id":"500100"},
    "contacts":[{"profile":{"name":"Ana"},"wa_id":"33600000001","user_id":"FR.900100"}],
    "messages":[{"from":"33600000001","from_user_id":"FR.900100","id":"wamid.AAA=","timestamp":"1760000001",
    "text":{"body":"Salut \ud83d\ude00 caf\u00e9 https:\/\/example.org\/?a=\u0025"},"type":"text"}]},"field":"messages"}]}]})",
    // Statuses and messages of several people in one value, with errors beside them.
    R"({"object":"whatsapp_business_account","entry":[{"id":"700100","time":1760000000,"changes":[{"field":"messages","value":{
    "metadata":{"phone_number_id":"500100"},"contacts":[{"wa_id":"1"},{"wa_id":"2"},{"user_id":"US.3"}],
    "messages":[{"id":"m1","from":"1"},{"id":"m2","from":"2","timestamp":1760000002},{"id":"m3","from":"","from_user_id":"US.3"},{}],
    "statuses":[{"id":"s1","status":"sent","timestamp":"1760000003","recipient_id":"1"},
    {"id":"s1","status":"read","timestamp":"1760000003","recipient_id":"g","recipient_type":"group","recipient_participant_id":"2"}],
    "errors":[{"code":131000,"title":"x"}],"later":{"a":[1,2,{"b":null}]}}}]}]})",
    // Two tenants, three changes, five messages.
    R"({"object":"whatsapp_business_account","entry":[{"id":"1","changes":[
    {"field":"messages","value":{"metadata":{"phone_number_id":"11"},"messages":[{"id":"a"},{"id":"b"}]}},
    {"field":"messages","value":{"metadata":{"phone_number_id":"12"},"messages":[{"id":"c"}]}}]},
    {"id":"2","changes":[{"field":"messages","value":{"metadata":{"phone_number_id":"21"},"messages":[{"id":"d"},{"id":"e"}]}}]}]})",
    // The other lists.
    R"({"object":"whatsapp_business_account","entry":[{"id":"1","time":"1760000000","changes":[
    {"field":"calls","value":{"calls":[{"id":"c","event":"connect","direction":"BUSINESS_INITIATED","to":"1"}],"statuses":[{"id":"c","status":"RINGING"}]}},
    {"field":"smb_message_echoes","value":{"message_echoes":[{"id":"e","from":"5","to":"1","timestamp":"1760000001"}]}},
    {"field":"user_preferences","value":{"contacts":[{"wa_id":"1"}],"user_preferences":[{"wa_id":"1","category":"c","value":"stop","timestamp":1760000001}]}},
    {"field":"smb_app_state_sync","value":{"state_sync":[{"type":"contact","contact":{"phone_number":"1"},"action":"add","metadata":{"timestamp":"1760000001"}}]}},
    {"field":"automatic_events","value":{"automatic_events":[{"id":"w","event_name":"Purchase","timestamp":1760000001}]}},
    {"field":"group_participants_update","value":{"groups":[{"group_id":"g","type":"t","timestamp":"1760000001"}]}},
    {"field":"messages","value":{"messages":[],"errors":[]}},
    {"field":"history","value":{"history":[{"threads":[{"id":"1","messages":[{"id":"x"},{"id":"y"}]}]}],"messages":[{"id":"z"}]}}]}]})",
    // Account fields, known and unknown, with values of any type.
    R"({"object":"whatsapp_business_account","entry":[{"id":"1","time":1760000000,"changes":[
    {"field":"message_template_status_update","value":{"event":"APPROVED","message_template_id":9900000000000002}},
    {"field":"account_settings_update","value":{"phone_number_settings":{"phone_number_id":"8"}}},
    {"field":"some\u0020new_field_with_a_very_long_name_that_no_column_could_ever_hold_whole","value":[1,"2",{"3":4}]},
    {"field":"flows","value":null},{"field":"security","value":"x","extra":true}]}]})",
    // Errors in place of a message; entry id and time as numbers and strings.
    R"({"object":"whatsapp_business_account","entry":[{"time":"1760000000123","id":7,"changes":[{"field":"messages","value":{"errors":{"code":1}}}]}]})",
    // Instagram: its four shapes.
    R"({"object":"instagram","entry":[{"id":"17841","time":1760000000123,"messaging":[
    {"sender":{"id":"5"},"recipient":{"id":"17841"},"timestamp":1760000000100,"message":{"mid":"m","text":"x"}},
    {"sender":{"id":"17841"},"recipient":{"id":"5"},"timestamp":1760000000101,"message":{"mid":"n","is_echo":true}},
    {"sender":{"id":"5"},"timestamp":1760000000102,"message":{"mid":"m","is_deleted":true}},
    {"sender":{"id":"5"},"timestamp":1760000000103,"reaction":{"mid":"m","action":"react","emoji":"\u2764"}},
    {"sender":{"id":"5"},"timestamp":1760000000104,"read":{"mid":"m"}},
    {"sender":{"id":"5"},"timestamp":1760000000105,"postback":{"payload":"p"}},
    {"sender":{"id":"5"},"timestamp":1760000000106,"message_edit":{"mid":"m","num_edit":2}},
    {"sender":{"id":"5"},"timestamp":1760000000107,"something_new":[1]}],
    "standby":[{"sender":{"id":"5"},"timestamp":1760000000108,"message":{"mid":"q"}}]},
    {"id":"17842","time":1760000000,"changes":[{"field":"comments","value":{"id":"c","from":{"id":"5"},"text":"x"}},
    {"field":"mentions","value":{"media_id":"9"}},{"field":"messages","value":{"sender":{"id":"5"},"message":{"mid":"r"}}}]},
    {"id":"17843","time":1760000000,"field":"comments","value":{"comment_id":"d"}}]})",
    // Messenger, with the numeric ids of old Pages.
    R"({"object":"page","entry":[{"id":71,"time":1760000000123,"messaging":[
    {"sender":{"id":5},"recipient":{"id":71},"timestamp":1760000000100,"message":{"mid":"m"}},
    {"sender":{"id":5},"delivery":{"mids":["m"],"watermark":1760000000101}},{"sender":{"id":5},"read":{"watermark":1760000000102}},
    {"recipient":{"id":71},"optin":{"user_ref":"u"}},{"recipient":{"id":71},"policy-enforcement":{"action":"block"}}]},
    {"id":"72","time":1760000000,"changes":[{"field":"feed","value":{"item":"post","verb":"add","post_id":"1_2","from":{"id":"5"}}}]},
    {"id":"73","time":1760000000,"changed_fields":["feed","mention"]}]})",
    // Values that jsonb refuses, at every place.
    R"({"object":"whatsapp_business_account","entry":[{"id":"1\u0000","time":1e999,"changes":[{"field":"messages","value":{"\ud83d":1,
    "messages":[{"id":"a\u0000","from":"\ude00","timestamp":"1760000001","x":1e400000,"\u0000":"\\u0000"},{"id":"b"},{"y":-1e-131072}]}},
    {"field":"x\u0000y","value":"\ud83d\ud83d"}]}]})",
    // Duplicate names, escaped names.
    R"({"object":"page","object":"instagram","entry":[{"id":"1","id":"2","\u0063hanges":[{"field":"a","field":"comments","value":1,"value":{"id":"x","\u0069d":"y"}}]}]})",
    // Some of it unreadable.
    R"({"object":"page","entry":[7,{"id":"1"},{"id":"2","changes":[{"field":"f","value":1},{"value":1},null],"messaging":{}},{"id":"3","messaging":[{},{"message":"x"}]}]})",
    // Unknown blocks beside known ones.
    R"({"object":"page","entry":[{"id":"1","time":1,"new_block":[{"a":1}],"messaging":[{"sender":{"id":"5"},"message":{"mid":"m"}}],"newer":{"b":[2]}},
    {"id":"2","other":[3],"field":"f","value":{"c":4},"uid":"2"}]})",
    // Wrong types all over.
    R"({"object":"whatsapp_business_account","entry":[{"id":{},"time":[],"changes":[{"field":"messages","value":{"metadata":"x","contacts":{"a":1},
    "messages":[{"id":[],"from":{},"timestamp":true,"text":7},7,null,[]],"statuses":"x"}}]}]})",
    // An array of webhooks, and of something else.
    R"([{"object":"page","entry":[{"id":"1","changes":[{"field":"f","value":1}]}]},{"object":"instagram","entry":[]},{"x":1}])",
};

}  // namespace socialsync::parse::test

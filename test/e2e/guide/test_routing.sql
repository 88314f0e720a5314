-- Test fonction WhatsApp
SELECT * FROM get_whatsapp_user_by_phone_number_id('683178638221369');

-- Test fonction Instagram
SELECT * FROM get_instagram_user_by_page_id('your_page_id');

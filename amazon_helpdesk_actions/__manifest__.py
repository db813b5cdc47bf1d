{
    "name": "Amazon Helpdesk Actions",
    "summary": "Refund and cancel Amazon orders from the helpdesk ticket",
    "version": "19.0.1.0.0",
    "development_status": "Beta",
    "category": "Services/Helpdesk",
    "author": "Amazon Helpdesk Actions contributors",
    "license": "AGPL-3",
    "depends": ["amazon_order_actions", "helpdesk_mgmt_sale"],
    # Both define the model helpdesk.ticket
    "excludes": ["helpdesk"],
    "data": [
        "security/ir.model.access.csv",
        "data/ir_actions_server_data.xml",
        "views/helpdesk_ticket_views.xml",
        "views/amazon_authority_views.xml",
        "views/portal_templates.xml",
    ],
    "demo": [
        "demo/res_users_demo.xml",
        "demo/helpdesk_ticket_demo.xml",
    ],
    "assets": {
        "web.assets_tests": [
            "amazon_helpdesk_actions/static/tests/tours/**/*",
        ],
    },
    "uninstall_hook": "uninstall_hook",
    "installable": True,
    "application": True,
}

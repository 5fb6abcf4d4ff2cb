# Becomes config/additional_environment.rb, where administrators configure a Redmine: mails go nowhere,
# and what is to be done later is done at once, within the request.
config.log_level = :fatal
config.active_job.queue_adapter = :inline
config.action_mailer.delivery_method = :test

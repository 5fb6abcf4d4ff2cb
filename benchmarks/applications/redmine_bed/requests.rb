# frozen_string_literal: true

# What is asked of Redmine: its pages as visitors, members and administrators see them, lists with
# filters and groups, exports, feeds, the REST API, and writes.

module Requests
  PASSWORD = "secret-of-a-scratch-server"
  KEY = "0123456789abcdef0123456789abcdef01234567" # the administrator's, of a scratch server
  API = { "X-Redmine-API-Key" => KEY }.freeze
  ALL_COLUMNS = %w[
    id project tracker parent status priority subject author assigned_to updated_on category fixed_version start_date
    due_date estimated_hours total_estimated_hours spent_hours total_spent_hours done_ratio created_on closed_on
    last_updated_by relations watcher_users
  ].freeze

  module_function

  # Begin a session for a user.
  def login(client, who)
    client.session.get("/login")
    data = { "username" => who, "password" => PASSWORD, "authenticity_token" => token(client) }
    client.session.post("/login", params: data)
    raise "#{who} cannot log in" unless client.session.response.redirect?

    client.session.get("/my/account")
    client.token = token(client)
  end

  def token(client)
    client.session.response.body[/name="csrf-token" content="([^"]+)"/, 1] or raise "a page without a token"
  end

  # All requests, in a seeded random order.
  def plan
    projects = Project.order(:id).to_a
    requests = pages + people + administration
    projects.values_at(0, 2, 5).each { |project| requests += of_project(project) + lists(project) }
    projects.values_at(1, 4).each { |project| requests += managed(project) }
    requests += api(projects[0]) + api(projects[3])
    requests += issues(projects[1]) + issues(projects[6])
    requests += writes(projects[2]) + writes(projects[7]) + bulk(projects[3]) + bulk(projects[5])
    requests << post("/projects/#{projects[8].identifier}/archive", {})
    requests.shuffle(random: Random.new(7))
  end

  def get(path, who = nil, **more)
    { "path" => path, "who" => who, **more.transform_keys(&:to_s) }.compact
  end

  def post(path, data, who = "admin", method = "post")
    { "path" => path, "who" => who, "method" => method, "data" => data }
  end

  def pages
    open = %w[/ /projects /projects?query_id= /issues /news /activity /activity.atom /issues.atom /news.atom /projects.atom
              /issues/gantt /issues/calendar /time_entries /search?q=issue /search?q=note+item&all_words=1]
    open.map { |path| get(path) } + open.first(10).map { |path| get(path, "u3") }
  end

  def people
    ids = User.where("login LIKE 'u%'").order(:id).pluck(:id)
    own = %w[/my/page /my/account /my/api_key]
    %w[u1 u2].flat_map { |who| own.map { |path| get(path, who) } } +
      ids.values_at(0, 3, 8).flat_map { |id| [get("/users/#{id}"), get("/users/#{id}", "admin"), get("/activity?user_id=#{id}", "u1")] }
  end

  def administration
    field, role, group = IssueCustomField.first, Role.givable.first, Group.givable.first
    tracker, user = Tracker.first, User.find_by(login: "u4")
    paths = %w[
      /admin /admin/projects /admin/info /users /users?status= /groups /roles /roles/permissions /trackers /trackers/fields
      /issue_statuses /workflows /workflows/copy /custom_fields /enumerations /settings /settings?tab=issues
      /settings?tab=projects /auth_sources /projects/new /admin/plugins
    ]
    paths += [
      "/users/#{user.id}/edit", "/users/#{user.id}/edit?tab=memberships", "/users/#{user.id}/edit?tab=groups",
      "/groups/#{group.id}/edit?tab=users", "/groups/#{group.id}/edit?tab=memberships", "/groups/#{group.id}",
      "/roles/#{role.id}/edit", "/trackers/#{tracker.id}/edit", "/custom_fields/#{field.id}/edit",
      "/workflows/edit?role_id=#{role.id}&tracker_id=#{tracker.id}", "/workflows/permissions?role_id=#{role.id}&tracker_id=#{tracker.id}",
    ]
    paths.map { |path| get(path, "admin") }
  end

  def of_project(project)
    base = "/projects/#{project.identifier}"
    board, version = project.boards.first, project.versions.last
    paths = [
      base, "#{base}/activity", "#{base}/activity?show_issues=1&show_messages=1&show_wiki_edits=1", "#{base}/roadmap",
      "#{base}/roadmap?completed=1&with_subprojects=1", "#{base}/news", "#{base}/documents", "#{base}/boards", "#{base}/wiki",
      "#{base}/wiki/index", "#{base}/wiki/date_index", "#{base}/wiki/Page_1", "#{base}/wiki/Page_1/history",
      "#{base}/wiki/export.html", "#{base}/files", "#{base}/issues/report", "#{base}/issues/report/assigned_to",
      "#{base}/issues/gantt", "#{base}/issues/calendar?year=2026&month=3", "#{base}/time_entries", "#{base}/issues.atom",
      "#{base}/time_entries/report?criteria[]=user&criteria[]=activity&columns=month", "#{base}/search?q=issue",
      "/versions/#{version.id}", "/boards/#{board.id}/topics/#{board.topics.first.id}",
      "/boards/#{board.id}/topics/#{board.topics.last.id}", "#{base}/boards/#{board.id}", "/news/#{project.news.last.id}",
      "/documents/#{project.documents.first.id}", "#{base}/issues.pdf",
    ]
    paths.each_with_index.map { |path, n| get(path, [nil, "u1", "admin"][n % 3]) }
  end

  def lists(project)
    base = "/projects/#{project.identifier}/issues"
    columns = ALL_COLUMNS.map { |name| "c[]=#{name}" }.join("&")
    custom = IssueCustomField.ids.map { |id| "c[]=cf_#{id}" }.join("&")
    saved = IssueQuery.order(:id).pluck(:id)
    filters = "set_filter=1&f[]=status_id&op[status_id]=*&f[]=assigned_to_id&op[assigned_to_id]=*"
    paths = [
      base, "#{base}?#{filters}&#{columns}", "#{base}?#{filters}&#{columns}&#{custom}&group_by=assigned_to&t[]=spent_hours",
      "#{base}?set_filter=1&sort=priority:desc,updated_on&per_page=100", "#{base}.csv?#{filters}&#{columns}&#{custom}",
      "#{base}?set_filter=1&group_by=fixed_version&#{custom}", "#{base}?set_filter=1&c[]=description&c[]=last_notes&c[]=subject",
    ]
    (paths + saved.map { |id| "#{base}?query_id=#{id}" }).each_with_index.map { |path, n| get(path, %w[admin u2][n % 2]) }
  end

  def managed(project)
    tabs = %w[info members issues versions categories wiki boards activities]
    base = "/projects/#{project.identifier}"
    tabs.map { |tab| get("#{base}/settings/#{tab}", "admin") } +
      ["#{base}/copy", "#{base}/issues/new", "#{base}/memberships/new", "#{base}/versions/new", "#{base}/time_entries/new"]
        .map { |path| get(path, "admin") }
  end

  def issues(project)
    some = project.issues.order(:id).to_a
    ids = some.last(6).map { |one| "ids[]=#{one.id}" }.join("&")
    paths = some.values_at(0, 6, 10, 13, 20, 27, 34).flat_map do |one|
      ["/issues/#{one.id}", "/issues/#{one.id}?tab=time_entries", "/issues/#{one.id}/edit", "/issues/#{one.id}.pdf"]
    end
    paths += ["/issues/bulk_edit?#{ids}", "/issues/context_menu?#{ids}&back_url=/issues", "/issues/#{some[6].id}.atom",
              "/projects/#{project.identifier}/issues/#{some[3].id}/copy", "/issues/auto_complete?project_id=#{project.identifier}&term=issue"]
    paths.each_with_index.map { |path, n| get(path, %w[admin u5][n % 2]) }
  end

  def api(project)
    issue = project.issues.order(:id)[12]
    name = project.identifier
    paths = [
      "/issues.json?project_id=#{name}&include=relations,attachments", "/issues.xml?limit=50", "/issues/#{issue.id}.json?include=journals,watchers,relations,children",
      "/projects.json?include=trackers,issue_categories,enabled_modules,time_entry_activities", "/projects/#{name}.json?include=trackers,issue_categories",
      "/projects/#{name}/memberships.json", "/projects/#{name}/versions.json", "/projects/#{name}/issue_categories.json", "/users.json",
      "/users/#{issue.author_id}.json?include=memberships,groups", "/time_entries.json?limit=60", "/news.json", "/projects/#{name}/wiki/index.json",
      "/groups.json", "/roles.json", "/custom_fields.json", "/queries.json", "/trackers.json", "/search.json?q=issue",
    ]
    paths.map { |path| get(path, headers: API, route: path.partition("?").first) } +
      [{ "path" => "/issues.json", "method" => "post", "headers" => API,
         "json" => { "issue" => { "project_id" => project.id, "subject" => "From the API", "watcher_user_ids" => project.users.ids.first(7) } } },
       { "path" => "/issues/#{issue.id}.json", "method" => "put", "headers" => API,
         "json" => { "issue" => { "notes" => "From the API", "done_ratio" => 50, "priority_id" => IssuePriority.last.id } } }]
  end

  def writes(project)
    base = "/projects/#{project.identifier}"
    some, people = project.issues.order(:id).to_a, project.users.ids.sort
    board = project.boards.first
    fields = IssueCustomField.where(field_format: "int").pluck(:id).to_h { |id| [id.to_s, "5"] }
    new_issue = { "tracker_id" => project.trackers.first.id, "subject" => "New", "description" => "Text", "status_id" => "1",
                  "priority_id" => IssuePriority.first.id, "assigned_to_id" => people[2], "custom_field_values" => fields }
    [
      post("#{base}/issues", { "issue" => new_issue.merge("watcher_user_ids" => people.first(6)) }),
      post("#{base}/issues", { "issue" => new_issue }, "u4"),
      post("/issues/#{some[7].id}", { "issue" => { "notes" => "A note", "status_id" => "2" } }, "admin", "put"),
      post("/issues/#{some[13].id}", { "issue" => { "notes" => "Another", "assigned_to_id" => people[1] } }, "admin", "put"),
      post("/issues/#{some[0].id}", { "issue" => { "due_date" => "2026-12-24", "estimated_hours" => "9" } }, "admin", "put"),
      post("/issues/#{some[9].id}/relations", { "relation" => { "relation_type" => "blocks", "issue_to_id" => some[20].id } }),
      post("#{base}/time_entries", { "time_entry" => { "hours" => "2", "spent_on" => "2026-06-01", "issue_id" => some[4].id,
                                                       "activity_id" => TimeEntryActivity.first.id, "comments" => "Work" } }),
      post("/news/#{project.news.first.id}/comments", { "comment" => { "comments" => "A comment" } }),
      post("#{base}/news", { "news" => { "title" => "More news", "description" => "Text" } }),
      post("/boards/#{board.id}/topics/#{board.topics.first.id}/replies", { "reply" => { "subject" => "RE: Topic", "content" => "A reply" } }),
      post("#{base}/wiki/Page_3", { "content" => { "text" => "h1. Changed\n\nSee [[Page_4]]." } }, "admin", "put"),
      post("#{base}/versions", { "version" => { "name" => "9.9", "status" => "open" } }),
      post("/watchers", { "watcher" => { "user_ids" => people.last(5) }, "object_type" => "issue", "object_id" => some[15].id }),
      post("/issues/#{some[30].id}", {}, "admin", "delete"),
    ]
  end

  def bulk(project)
    base = "/projects/#{project.identifier}"
    ids = project.issues.order(:id).pluck(:id)
    users = User.where.not(id: project.users.ids).where("login LIKE 'u%'").order(:id).ids
    [
      post("/issues/bulk_update", { "ids" => ids[8, 9], "issue" => { "status_id" => "3", "assigned_to_id" => project.users.ids.min }, "notes" => "Many" }),
      post("/issues/bulk_update", { "ids" => ids[20, 7], "issue" => { "priority_id" => IssuePriority.last.id, "parent_issue_id" => "" } }),
      post("/issues/bulk_update", { "ids" => ids[12, 6], "copy" => "1", "issue" => { "project_id" => Project.first.id } }),
      post("#{base}/memberships", { "membership" => { "user_ids" => users.first(6), "role_ids" => [Role.givable.first.id] } }),
      post("/issues", { "ids" => ids[28, 6], "todo" => "destroy" }, "admin", "delete"),
      post("#{base}/copy", { "project" => { "name" => "Copy of #{project.name}", "identifier" => "copy-#{project.id}" },
                             "only" => %w[members versions issue_categories issues queries boards wiki] }),
    ]
  end
end

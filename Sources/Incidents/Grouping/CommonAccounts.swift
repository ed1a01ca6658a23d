/// Account names that every password guesser on the Internet tries: that two of them go for `root` says nothing about
/// whether they belong together. In lower case.
enum CommonAccounts {
    static func contains(_ name: String) -> Bool { names.contains(name.lowercased()) }

    private static let names: Set<String> = [
        "root", "admin", "administrator", "user", "test", "guest", "operator", "support", "info", "demo", "default", "service",
        "backup",
        "ubuntu", "debian", "centos", "fedora", "ec2-user", "azureuser", "pi", "vagrant", "ansible", "docker", "jenkins", "git",
        "gitlab",
        "oracle", "postgres", "mysql", "redis", "mongodb", "elasticsearch", "hadoop", "tomcat", "nginx", "apache", "www",
        "www-data", "web",
        "webmaster", "ftp", "ftpuser", "mail", "postmaster", "nagios", "zabbix", "minecraft", "steam", "dev", "deploy", "student",
        "ubnt",
    ]
}

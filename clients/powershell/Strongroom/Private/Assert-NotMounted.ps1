function Assert-NotMounted {
    <#
    .SYNOPSIS
    Refuses a repository that is a drive of this server already.
    #>
    [CmdletBinding()]
    param(
        [Parameter(Mandatory = $true)]
        [string] $BucketName
    )

    foreach ($record in @(Read-DriveRecord)) {
        if ($record.bucket -eq $BucketName) {
            throw (ConvertTo-DriveError -Id 'AlreadyMounted' -Category 'ResourceExists' -Target $BucketName -Message (
                    "$BucketName is the drive $($record.drive_letter): already.") -WayOut (
                    "To make it another drive, first: Remove-S3RcloneDrive -BucketName $BucketName"))
        }
    }
}
